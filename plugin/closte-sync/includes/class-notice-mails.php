<?php
/**
 * Mails to the network's admin of what the engine has to tell: its messages come with names, and each is mailed once.
 *
 * Nothing is kept here but which were mailed: a message that is not, the engine hands over again.
 *
 * @package Closte_Sync
 */

namespace Closte_Sync;

defined( 'ABSPATH' ) || exit;

/**
 * The messages of the engine.
 */
final class Notice_Mails {

	/**
	 * JSON: the names of the messages that were mailed, the newest last.
	 */
	const OPTION = 'closte_sync_mailed';

	/**
	 * The most names that are kept, the most messages at once, and the most characters of each.
	 */
	const KEPT    = 500;
	const MOST    = 50;
	const LONGEST = 20000;

	/**
	 * Whether this is a list of messages.
	 *
	 * @param mixed $messages What came.
	 * @return bool
	 */
	public static function are_messages( $messages ) {
		$is_one = static function ( $message ) {
			return isset( $message['id'], $message['text'] ) && is_string( $message['id'] ) && is_string( $message['text'] ) && '' !== $message['id'] && strlen( $message['id'] ) <= 100;
		};
		return is_array( $messages ) && count( $messages ) <= self::MOST && array_filter( $messages, $is_one ) === $messages;
	}

	/**
	 * Mail those that were not mailed before, as one.
	 *
	 * @param array[] $messages They.
	 * @return string[] The names of those that were mailed, now or before.
	 */
	public static function mail( array $messages ) {
		$mailed = self::mailed();
		$is_new = static function ( $message ) use ( $mailed ) {
			return ! in_array( $message['id'], $mailed, true );
		};
		$new    = array_values( array_filter( $messages, $is_new ) );
		$ids    = wp_list_pluck( $messages, 'id' );
		if ( array() === $new ) {
			return $ids;
		}
		$texts = array();
		foreach ( $new as $message ) {
			$texts[] = mb_substr( $message['text'], 0, self::LONGEST, 'UTF-8' );
		}
		if ( ! Pass_Mails::is_taken( self::subject( $texts ), Pass_Mails::with_link( implode( "\n\n", $texts ) ) ) ) {
			return array_values( array_intersect( $ids, $mailed ) );
		}
		self::remember( wp_list_pluck( $new, 'id' ) );
		return $ids;
	}

	/**
	 * What a mail is about: its one message, or how many there are.
	 *
	 * @param string[] $texts The messages.
	 * @return string
	 */
	private static function subject( array $texts ) {
		if ( 1 === count( $texts ) ) {
			return Pass_Mails::subject( mb_substr( strtok( $texts[0], "\n" ), 0, 120, 'UTF-8' ) );
		}
		/* translators: %d: how many. */
		return Pass_Mails::subject( sprintf( __( '%d messages', 'closte-sync' ), count( $texts ) ) );
	}

	/**
	 * The names of those that were mailed.
	 *
	 * @return string[]
	 */
	private static function mailed() {
		return array_values( array_filter( Engine::decode( Network_Options::read( self::OPTION ) ), 'is_string' ) );
	}

	/**
	 * Keep that these were mailed.
	 *
	 * @param string[] $ids Their names.
	 */
	private static function remember( array $ids ) {
		$mailed = array_slice( array_merge( self::mailed(), $ids ), -self::KEPT );
		Network_Options::write( self::OPTION, (string) wp_json_encode( $mailed, JSON_INVALID_UTF8_SUBSTITUTE ) );
	}
}
