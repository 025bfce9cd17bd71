<?php
/**
 * Mails to the network's admin about the passes that this plugin makes: their news, and that there are none.
 *
 * What cannot be sent waits for the next pass.
 *
 * @package Closte_Sync
 */

namespace Closte_Sync;

defined( 'ABSPATH' ) || exit;

/**
 * The mails.
 */
final class Pass_Mails {

	/**
	 * JSON: the mails that wait, the oldest first; `subject`, `text` and `at` of each.
	 */
	const OPTION = 'closte_sync_mails';

	/**
	 * The most that wait, and the most characters of each.
	 */
	const MOST    = 20;
	const LONGEST = 20000;

	/**
	 * Where a mail that cannot be sent took so many seconds, the others are not tried.
	 */
	const PATIENCE = 5;

	/**
	 * The obstacle that was mailed, by its code and since when it is there.
	 */
	const MAILED = 'closte_sync_obstacle_mailed';

	/**
	 * A pass has news.
	 *
	 * @param string $told The news; empty for none.
	 * @param int    $now  The time.
	 */
	public static function told( $told, $now ) {
		if ( '' !== $told ) {
			self::add( __( 'news of the domains', 'closte-sync' ), $told, $now );
		}
	}

	/**
	 * The engine has not made a pass for too long, and did not say why: one that says it mails it itself.
	 *
	 * @param int $now The time.
	 */
	public static function failing( $now ) {
		$runs = Passes::runs();
		if ( 0 < $runs['failures'] && ! $runs['is_mailed'] && empty( $runs['last']['spoke'] ) && $now - $runs['since'] >= Pass_Rules::TOO_LONG ) {
			self::add( __( 'the engine does not work', 'closte-sync' ), Engine_Words::failure( $runs ), $now );
			Passes::note_mailed();
		}
	}

	/**
	 * The engine cannot run, and has not been able to for too long. Where another engine does the work, that is no news.
	 *
	 * @param int $now The time.
	 */
	public static function obstacle( $now ) {
		$obstacle = Carried::obstacle();
		if ( null === $obstacle || Engine::is_heard_of() || $now - Carried::known()['since'] < Pass_Rules::TOO_LONG ) {
			return;
		}
		$mark = $obstacle['code'] . ' ' . Carried::known()['since'];
		if ( Network_Options::read( self::MAILED ) !== $mark ) {
			self::add( __( 'the engine cannot run', 'closte-sync' ), Obstacles::text( $obstacle ), $now );
			Network_Options::write( self::MAILED, $mark );
		}
	}

	/**
	 * Send what waits. Passes are made one at a time, so nobody else does; what is not sent stays.
	 */
	public static function send() {
		$begun = time();
		foreach ( self::waiting( Network_Options::read( self::OPTION ) ) as $mail ) {
			if ( self::is_taken( $mail['subject'], $mail['text'] ) ) {
				// At once: this request may be ended before the next one is sent.
				self::remove( $mail );
			} elseif ( time() - $begun >= self::PATIENCE ) {
				break;
			}
		}
	}

	/**
	 * Send a mail.
	 *
	 * @param string $subject What it is about.
	 * @param string $text    What it says.
	 * @return bool Whether WordPress took it.
	 */
	public static function is_taken( $subject, $text ) {
		try {
			return (bool) wp_mail( get_network_option( null, 'admin_email' ), $subject, $text );
		} catch ( \Throwable $error ) {
			// Where disable_functions forbids `mail`, WordPress does not say no: it ends with an error.
			return false;
		}
	}

	/**
	 * Remove a mail that was sent.
	 *
	 * @param array $sent It.
	 */
	private static function remove( array $sent ) {
		self::change(
			static function ( $waiting ) use ( $sent ) {
				return array_filter(
					$waiting,
					static function ( $mail ) use ( $sent ) {
						return $mail !== $sent;
					}
				);
			}
		);
	}

	/**
	 * The subject of a mail.
	 *
	 * @param string $about In a few words.
	 * @return string
	 */
	public static function subject( $about ) {
		$name = wp_specialchars_decode( get_network()->site_name, ENT_QUOTES );
		return "[$name] closte-sync: $about";
	}

	/**
	 * A text, and where there is more.
	 *
	 * @param string $text It.
	 * @return string
	 */
	public static function with_link( $text ) {
		/* translators: %s: an address. */
		return $text . "\n\n" . sprintf( __( 'More on the closte-sync page of the network admin: %s', 'closte-sync' ), network_admin_url() ) . "\n";
	}

	/**
	 * Add a mail.
	 *
	 * @param string $about In a few words.
	 * @param string $text  What it says.
	 * @param int    $now   The time.
	 */
	private static function add( $about, $text, $now ) {
		$mail = array(
			'subject' => self::subject( $about ),
			'text'    => self::with_link( mb_substr( $text, 0, self::LONGEST, 'UTF-8' ) ),
			'at'      => $now,
		);
		self::change(
			static function ( $waiting ) use ( $mail ) {
				return array_merge( $waiting, array( $mail ) );
			}
		);
	}

	/**
	 * Change what waits.
	 *
	 * @param callable $change Given it, returns what waits then.
	 */
	private static function change( callable $change ) {
		Network_Options::change(
			self::OPTION,
			static function ( $stored ) use ( $change ) {
				$waiting = array_slice( array_values( $change( self::waiting( $stored ) ) ), -self::MOST );
				return (string) wp_json_encode( $waiting, JSON_INVALID_UTF8_SUBSTITUTE );
			}
		);
	}

	/**
	 * What waits.
	 *
	 * @param mixed $stored The option.
	 * @return array[]
	 */
	private static function waiting( $stored ) {
		return array_filter(
			Engine::decode( $stored ),
			static function ( $mail ) {
				return isset( $mail['subject'], $mail['text'], $mail['at'] );
			}
		);
	}
}
