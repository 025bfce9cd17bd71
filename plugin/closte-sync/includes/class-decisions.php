<?php
/**
 * What a person can ask for on our page, in place of a command: to apply a plan, to keep an alias, to have
 * an installation act, to look at a name before it is mapped.
 *
 * Nothing is decided here: each is a request that the engine fetches with its next pass, and does or
 * refuses as it does with the command.
 *
 * @package Closte_Sync
 */

namespace Closte_Sync;

defined( 'ABSPATH' ) || exit;

/**
 * The parts of the page with buttons, and what their forms do.
 */
final class Decisions {

	const ASK = 'closte_sync_ask';

	/**
	 * Listen to WordPress.
	 */
	public static function listen() {
		add_action( 'admin_post_' . self::ASK, array( self::class, 'ask' ) );
	}

	/**
	 * Take a request from one of our forms.
	 */
	public static function ask() {
		Actions::demand( self::ASK );
		$sent = array();
		foreach ( array( 'do', 'what', 'ledger', 'sure' ) as $name ) {
			$sent[ $name ] = isset( $_POST[ $name ] ) && is_string( $_POST[ $name ] ) ? sanitize_text_field( wp_unslash( $_POST[ $name ] ) ) : '';
		}
		if ( ! array_key_exists( $sent['do'], Requests::KINDS ) || '' === $sent['ledger'] || ( 'here' === $sent['do'] ? '' === $sent['sure'] : '' === $sent['what'] ) ) {
			wp_die( esc_html__( 'This form is not complete.', 'closte-sync' ), '', array( 'response' => 400 ) );
		}
		if ( 'explain' === $sent['do'] ) {
			$sent['what'] = Name_Form::demand( $sent['what'] );
		}
		$is_taken = Requests::add( $sent['do'], $sent['what'], $sent['ledger'] );
		Admin_Page::back( self::ASK, $is_taken ? 'yes' : 'full' );
	}

	/**
	 * What became of requests of this person, and what waits.
	 */
	public static function show_requests() {
		foreach ( Requests::take_answers( get_current_user_id() ) as $answer ) {
			if ( $answer['done'] && isset( $answer['explained'] ) ) {
				Name_Form::show_answer( $answer['explained'] );
			} elseif ( $answer['done'] ) {
				Admin_Page::show_notice( 'success', self::done_text( $answer ) );
			} else {
				/* translators: %s: what was asked for. */
				$text = sprintf( __( 'This was not done: %s', 'closte-sync' ), self::title( $answer ) );
				Admin_Page::show_notice( 'error', $text, array_filter( array( $answer['text'], $answer['hint'] ) ) );
			}
		}
		$waiting = array();
		foreach ( Requests::waiting() as $request ) {
			/* translators: 1: what was asked for, 2: such as "5 minutes". */
			$waiting[] = sprintf( __( '%1$s, asked for %2$s ago', 'closte-sync' ), self::title( $request ), human_time_diff( $request['at'] ) );
		}
		if ( array() !== $waiting ) {
			Admin_Page::show_notice( 'info', __( 'Waits for the next pass, and is over after a day:', 'closte-sync' ), $waiting );
		}
	}

	/**
	 * Installations that do not act for this network, each with the button that has it act.
	 */
	public static function show_standbys() {
		foreach ( Standbys::all() as $standby ) {
			$place = array_filter( array( $standby['path'], $standby['host'], $standby['user'] ) );
			echo '<div class="notice notice-warning inline">';
			printf( '<p><strong>%s</strong></p>', esc_html__( 'An installation of closte-sync does not act for this network.', 'closte-sync' ) );
			/* translators: 1: where it is, 2: such as "5 minutes". */
			$where = sprintf( __( 'It is at %1$s, and said so %2$s ago:', 'closte-sync' ), array() === $place ? $standby['ledger'] : implode( ', ', $place ), human_time_diff( $standby['at'] ) );
			foreach ( array_filter( array( $where, $standby['text'], $standby['hint'] ) ) as $line ) {
				printf( '<p>%s</p>', esc_html( $line ) );
			}
			if ( Requests::is_waiting( 'here', '', $standby['ledger'] ) ) {
				self::show_waits();
			} else {
				echo '<div class="closte-sync-decide">';
				self::open_form( 'here', '', $standby['ledger'] );
				$sure = __( 'This installation is the one that counts; any other stops acting.', 'closte-sync' );
				printf( '<p><label><input type="checkbox" name="sure" value="1" required> %s</label></p>', esc_html( $sure ) );
				self::close_form( __( 'This installation acts from now on', 'closte-sync' ), 'button' );
				echo '</div>';
			}
			echo '</div>';
		}
	}

	/**
	 * What the last pass kept back, why, and what releases it.
	 */
	public static function show_plan() {
		$report = Engine::report();
		if ( array() === $report['deferred'] && null === $report['plan'] ) {
			return;
		}
		printf( '<h2>%s</h2>', esc_html__( 'Kept back', 'closte-sync' ) );
		if ( array() !== $report['deferred'] ) {
			self::show_deferred( $report );
		}
		if ( null === $report['plan'] || null === $report['ledger'] ) {
			return;
		}
		echo '<div class="closte-sync-decide">';
		if ( Requests::is_waiting( 'apply', $report['plan'], $report['ledger'] ) ) {
			self::show_waits();
		} else {
			self::open_form( 'apply', $report['plan'], $report['ledger'] );
			self::close_form( __( 'Apply this plan', 'closte-sync' ), 'button button-primary' );
			/* translators: %s: the hash of a plan. */
			$text = sprintf( __( 'Plan %s: all that waits for a person is done, and nothing else. Where something else is kept back by then, nothing is done.', 'closte-sync' ), $report['plan'] );
			printf( '<span class="closte-sync-soft">%s</span>', esc_html( $text ) );
		}
		echo '</div>';
	}

	/**
	 * The steps that were kept back.
	 *
	 * @param array $report The last report.
	 */
	private static function show_deferred( array $report ) {
		printf(
			'<table class="widefat striped closte-sync-deferred"><thead><tr><th scope="col">%s</th><th scope="col">%s</th><th scope="col">%s</th><th scope="col">%s</th><td></td></tr></thead><tbody>',
			esc_html__( 'Domain', 'closte-sync' ),
			esc_html__( 'What would be done', 'closte-sync' ),
			esc_html__( 'Why it is not', 'closte-sync' ),
			esc_html__( 'What releases it', 'closte-sync' )
		);
		foreach ( $report['deferred'] as $step ) {
			printf(
				'<tr><td><strong>%s</strong></td><td>%s</td><td>%s</td><td>%s</td><td>',
				esc_html( $step['domain'] ),
				esc_html( self::action_words( $step['action'] ) ),
				esc_html( $step['text'] ),
				esc_html( self::release_words( $step ) )
			);
			if ( 'remove-alias' === $step['action'] && null !== $report['ledger'] ) {
				self::show_keep( $step['domain'], $report['ledger'] );
			}
			echo '</td></tr>';
		}
		echo '</tbody></table>';
		$more = $report['deferred_count'] - count( $report['deferred'] );
		if ( 0 < $more ) {
			/* translators: %s: a number. */
			printf( '<p>%s</p>', esc_html( sprintf( __( 'And %s more.', 'closte-sync' ), number_format_i18n( $more ) ) ) );
		}
	}

	/**
	 * The button that keeps an alias.
	 *
	 * @param string $domain Its name.
	 * @param string $ledger Of the installation that acts.
	 */
	private static function show_keep( $domain, $ledger ) {
		if ( Requests::is_waiting( 'keep', $domain, $ledger ) ) {
			self::show_waits();
			return;
		}
		self::open_form( 'keep', $domain, $ledger );
		/* translators: %s: a domain. */
		self::close_form( __( 'Keep', 'closte-sync' ), 'button', sprintf( __( 'Keep the alias %s at the host for good', 'closte-sync' ), $domain ) );
	}

	/**
	 * That a request waits, in place of its button.
	 */
	private static function show_waits() {
		printf( '<em>%s</em>', esc_html__( 'waits for the next pass', 'closte-sync' ) );
	}

	/**
	 * The beginning of a form.
	 *
	 * @param string      $kind   What is asked for.
	 * @param string|null $what   What it is about; null where the form has a field for that.
	 * @param string      $ledger Of the installation that is asked.
	 */
	public static function open_form( $kind, $what, $ledger ) {
		$hidden = array(
			'action'   => self::ASK,
			'_wpnonce' => wp_create_nonce( self::ASK ),
			'do'       => $kind,
			'what'     => $what,
			'ledger'   => $ledger,
		);
		printf( '<form method="post" action="%s">', esc_url( get_admin_url( get_main_site_id(), 'admin-post.php' ) ) );
		wp_referer_field();
		foreach ( array_filter( $hidden, 'is_string' ) as $name => $value ) {
			printf( '<input type="hidden" name="%s" value="%s">', esc_attr( $name ), esc_attr( $value ) );
		}
	}

	/**
	 * Its button, and its end.
	 *
	 * @param string $label   What is on the button.
	 * @param string $classes Of the button.
	 * @param string $name    What it does, where its label alone does not say.
	 */
	public static function close_form( $label, $classes, $name = '' ) {
		$name = '' === $name ? $label : $name;
		printf( '<button type="submit" class="%s" aria-label="%s">%s</button></form>', esc_attr( $classes ), esc_attr( $name ), esc_html( $label ) );
	}

	/**
	 * What was asked for.
	 *
	 * @param array $request A request.
	 * @return string
	 */
	private static function title( array $request ) {
		$titles = array(
			/* translators: %s: the hash of a plan. */
			'apply'   => __( 'Apply the plan %s', 'closte-sync' ),
			/* translators: %s: a domain. */
			'keep'    => __( 'Keep the alias %s', 'closte-sync' ),
			'here'    => __( 'This installation acts from now on', 'closte-sync' ),
			/* translators: %s: a domain. */
			'explain' => __( 'Look at %s', 'closte-sync' ),
		);
		return sprintf( $titles[ $request['do'] ], Requests::what( $request ) );
	}

	/**
	 * What was done.
	 *
	 * @param array $request A request.
	 * @return string
	 */
	private static function done_text( array $request ) {
		$texts = array(
			/* translators: %s: the hash of a plan. */
			'apply'   => __( 'The plan %s was applied.', 'closte-sync' ),
			/* translators: %s: a domain. */
			'keep'    => __( 'The alias %s stays at the host: closte-sync never removes it.', 'closte-sync' ),
			'here'    => __( 'The installation acts for this network from now on.', 'closte-sync' ),
			/* translators: %s: a domain. */
			'explain' => __( 'The name %s was looked at.', 'closte-sync' ),
		);
		return sprintf( $texts[ $request['do'] ], Requests::what( $request ) );
	}

	/**
	 * The words of a step.
	 *
	 * @param string $action The engine's.
	 * @return string
	 */
	private static function action_words( $action ) {
		$words = array(
			'create-record' => __( 'make the record of its site', 'closte-sync' ),
			'add-alias'     => __( 'add it at the host', 'closte-sync' ),
			'remove-alias'  => __( 'remove it at the host', 'closte-sync' ),
			'write-stage'   => __( 'write its stage', 'closte-sync' ),
		);
		return isset( $words[ $action ] ) ? $words[ $action ] : $action;
	}

	/**
	 * What releases a step.
	 *
	 * @param array $step The step.
	 * @return string
	 */
	private static function release_words( array $step ) {
		$words = array(
			'apply'            => __( 'a person who applies the plan', 'closte-sync' ),
			'next-read'        => __( 'the next good read', 'closte-sync' ),
			'undisturbed-read' => __( 'the next read that is not disturbed', 'closte-sync' ),
		);
		$text  = isset( $words[ $step['release'] ] ) ? $words[ $step['release'] ] : $step['release'];
		if ( null === $step['until'] || $step['until'] <= time() ) {
			return $text;
		}
		/* translators: 1: what else releases it, 2: such as "5 minutes". */
		return sprintf( __( '%1$s; by itself in %2$s', 'closte-sync' ), $text, human_time_diff( time(), $step['until'] ) );
	}
}
